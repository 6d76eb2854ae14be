-- How fast turns of one conversation follow each other: a buyer who floods is slowed alone.

-- unless column conversations.ritmo_em
ALTER TABLE conversations ADD COLUMN ritmo_em DATETIME(3) NULL COMMENT 'when all turns so far would have been taken at an even pace (UTC)';
