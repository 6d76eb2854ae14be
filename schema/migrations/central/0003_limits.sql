-- What a number may send, where it differs from its gateway's defaults. JSON; NULL: all defaults.

-- unless column canais.limites
ALTER TABLE canais ADD COLUMN limites JSON NULL COMMENT 'throughput, pacing, template outside the 24-hour window';
