"""The whole way of one message, put together for a person who asks. Called by the CLI."""
