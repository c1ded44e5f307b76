"""What git says: strict YAML files → checked spec objects → the resolved, frozen `Desired`.

Everything that is wrong is reported at once, each with file, line and column. `model`, `selection`,
`diagnostics` and `units` are plain Python for the planner; pydantic lives in `objects`, yaml in
`yamlfile`. Nothing is imported here, so that a pure module stays as light as it looks.
"""
