"""Dead letters as a person works with them: find, replay, discard. Called by `worker.cli`."""
