"""The vocabulary and grammar of ZFS: names, types, command lines, output, errors. No I/O."""
