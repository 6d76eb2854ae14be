"""The webhook process: takes what gateways push, answers when Redis has it."""
