-- What is left of a person's data that was erased: nothing that names him.

-- A late repetition of an erased message is not stored again.
-- unless table _apagadas
CREATE TABLE _apagadas (
    digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY COMMENT 'keyed, of channel and external_id',
    apagada_em DATETIME(3) NOT NULL COMMENT 'UTC'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless table _agendamentos_apagados
CREATE TABLE _agendamentos_apagados (
    mes DATE NOT NULL COMMENT 'its first day',
    tipo VARCHAR(20) NOT NULL,
    status VARCHAR(20) NOT NULL,
    total INT NOT NULL,
    PRIMARY KEY (mes, tipo, status)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='counts of erased appointments';
