"""desired × observed × now → Plan. Pure, total and deterministic: no I/O, no clock."""
