"""Other tools' configurations → spec files. Pure: text in, text out; the command reads and writes.

Nothing is dropped silently: what a configuration says is translated, or there is a remark about it
with its place. What can't be known is written as a text in `<...>` that no spec may have, so that
`reconciler validate` refuses it until a person has filled it in.
"""
