// The rival's statements: those of bench/plain_sql.py, one message at a time.

const FIND = `
    SELECT cu.id AS customer, cu.name, co.id AS conversation, co.status, co.estado, co.turno
      FROM customers cu JOIN conversations co ON co.id = (
           SELECT MAX(x.id) FROM conversations x
            WHERE x.customer_id = cu.id AND x.status <> 'fechado')
     WHERE cu.phone = ? FOR UPDATE`;
const OPEN_CUSTOMER = `
    INSERT INTO customers (phone, name) VALUES (?, ?)
    ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)`;
const OPEN_CONVERSATION = `
    INSERT INTO conversations (customer_id, status, last_interaction) VALUES (?, 'novo', ?)`;
const INSERT = `
    INSERT INTO mensagens (conversation_id, customer_id, tipo, conteudo, timestamp, external_id,
                           canal_id, autor, status, tipo_conteudo, midia, citada, endereco, turno,
                           fatos, decisao, recebida_em, gravada_em)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const SAVE = `
    UPDATE conversations
       SET status = ?, last_message = ?, last_interaction = ?, estado = ?, turno = ?,
           canal_id = ?, endereco = ?
     WHERE id = ?`;
const CARS = `
    SELECT id, brand, model, year, year_model, price, mileage, color, fuel_type, transmission,
           description, status
      FROM cars ORDER BY created_at DESC, id DESC`;
const PHOTOS = `
    SELECT car_id, url FROM car_images WHERE url IS NOT NULL
     ORDER BY car_id, is_principal DESC, ordem, id`;

/** The buyer and his conversation, made when there is none; his row is locked from here on. */
export async function findOrOpen(conn, event, now) {
  const [[known]] = await conn.execute(FIND, [event.phone]);
  if (known) return known;
  const name = event.push_name ?? null;
  const [{ insertId: customer }] = await conn.execute(OPEN_CUSTOMER, [event.phone, name]);
  const [[faster]] = await conn.execute(FIND, [event.phone]);
  if (faster) return faster; // another job of the same buyer was first
  const [{ insertId: conversation }] = await conn.execute(OPEN_CONVERSATION, [customer, now]);
  return { customer, name, conversation, status: 'novo', estado: null, turno: 0 };
}

/** False when the unique key says that the message is there already. */
export async function store(conn, known, event, channel, turn, now) {
  try {
    await conn.execute(INSERT, [
      known.conversation, known.customer, 'recebida', event.text, now, event.message_id, channel,
      'comprador', null, event.kind, null, null, null, turn, null, null, now, now,
    ]);
  } catch (error) {
    if (error.code === 'ER_DUP_ENTRY') return false;
    throw error;
  }
  return true;
}

export async function reply(conn, known, event, channel, turn, decision, now) {
  const why = { rule: decision.rule, understood: {}, considered: [] };
  await conn.execute(INSERT, [
    known.conversation, known.customer, 'enviada', decision.text, now, null, channel, 'lucas',
    'pendente', 'text', null, null, event.reply_to, turn, null, JSON.stringify(why), null, now,
  ]);
}

export async function save(conn, known, event, channel, turn, decision, now) {
  await conn.execute(SAVE, [
    decision.status, decision.text, now, JSON.stringify(decision.state), turn, channel,
    event.reply_to, known.conversation,
  ]);
}

/** The cars with their photos, as objects of the vehicle's fields. */
export async function cars(conn) {
  const photos = new Map();
  const [urls] = await conn.execute(PHOTOS);
  for (const { car_id: car, url } of urls) {
    if (!photos.has(car)) photos.set(car, []);
    photos.get(car).push(url);
  }
  const [rows] = await conn.execute(CARS);
  return rows.map((row) => ({
    id: row.id, marca: row.brand, modelo: row.model, ano: row.year, anoModelo: row.year_model,
    preco: row.price, km: row.mileage, cor: row.color, combustivel: row.fuel_type,
    cambio: row.transmission, descricao: row.description, status: row.status,
    fotos: photos.get(row.id) ?? [],
  }));
}
