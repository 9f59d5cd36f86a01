"""The programs that goldsmith drives: argument vectors to build, output to parse."""
