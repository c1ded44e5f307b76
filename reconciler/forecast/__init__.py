"""What specs will come to: versions, bytes, lag and work over days and years (docs/forecast.md).

    specs + a beginning → groups of filesystems that fare alike → a ledger for each → figures

A ledger knows what an undisturbed filesystem comes to, slot after slot, without a plan for each.
The real planner says where every filesystem stands at the beginning, and looks into each ledger
again and again on the way (`check`): docs/design/005-forecast.md says why.
"""
