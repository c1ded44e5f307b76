"""What people and scripts are told: plans, runs and facts as text and as JSON.

Values in, text and JSON out: nothing here reads a clock, a file or a terminal. Text and JSON are
made from the same values, and text, exit code and JSON summary from one `Summary`.
"""
