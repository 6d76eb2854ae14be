-- How often the result of a send stayed unknown: a reply goes out again once, not for ever.

-- unless column mensagens.incertas
ALTER TABLE mensagens ADD COLUMN incertas INT NOT NULL DEFAULT 0 COMMENT 'sends of it whose result is unknown';
