/** What the service's endpoints are compared with: Fastify, a pool, and one query for each request. */
import Fastify from 'fastify'
import pg from 'pg'

const [url, port] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, max: 10 })
await pool.query(
  'create table if not exists bare_jobs (id bigint generated always as identity, body jsonb not null)'
)

const app = Fastify()
app.get<{ Params: { id: string } }>('/jobs/:id', async (request) => {
  return (await pool.query('select * from jobs where id = $1', [request.params.id])).rows[0]
})
app.post('/jobs', async (request) => {
  return (await pool.query('insert into bare_jobs (body) values ($1) returning *', [request.body])).rows[0]
})
await app.listen({ port: Number(port) })
