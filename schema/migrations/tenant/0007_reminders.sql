-- Reminders of appointments: which were written, so that none is written twice.

-- unless table lucas_lembretes
CREATE TABLE lucas_lembretes (
    id INT AUTO_INCREMENT PRIMARY KEY,
    agendamento_id INT NOT NULL,
    tipo VARCHAR(20) NOT NULL COMMENT 'vespera, duas_horas, carro_indisponivel',
    data_agendada DATETIME NOT NULL COMMENT 'the appointment that it speaks of: a moved one has reminders of its own',
    mensagem_id INT NULL COMMENT 'the reply; null: the buyer is told nothing, resultado says why',
    resultado VARCHAR(40) NOT NULL,
    ate DATETIME(3) NOT NULL COMMENT 'later it is not sent any more (UTC)',
    criado_em DATETIME(3) NOT NULL COMMENT 'UTC',
    UNIQUE KEY uq_lembrete (agendamento_id, tipo, data_agendada),
    KEY idx_mensagem (mensagem_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- unless column agendamentos.marcado_em
ALTER TABLE agendamentos ADD COLUMN marcado_em DATETIME(3) NULL COMMENT 'when Lucas agreed on its present time (UTC); null: created_at counts';
