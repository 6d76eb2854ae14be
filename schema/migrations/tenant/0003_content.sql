-- What a message holds beyond its text: options, a place, a file.

-- unless columns mensagens
ALTER TABLE mensagens
    ADD COLUMN detalhes JSON NULL COMMENT 'options, place, template, file name, what was tapped',
    ADD COLUMN transcricao TEXT NULL COMMENT 'what an audio says, as a machine heard it',
    ADD COLUMN midia_em DATETIME(3) NULL COMMENT 'when its file is to be fetched (UTC); null: nothing to do',
    ADD COLUMN midia_tentativas INT NOT NULL DEFAULT 0,
    ADD COLUMN midia_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'SHA-256 of the file, hex',
    ADD COLUMN midia_tipo VARCHAR(100) NULL COMMENT 'MIME type by the first bytes, not by what was claimed',
    ADD COLUMN midia_bytes BIGINT NULL,
    ADD COLUMN midia_onde VARCHAR(255) NULL COMMENT 'key in the media store',
    ADD COLUMN midia_erro TEXT NULL COMMENT 'why there is no file, or no transcript';

-- unless index mensagens.idx_midia_em
ALTER TABLE mensagens ADD INDEX idx_midia_em (midia_em);
