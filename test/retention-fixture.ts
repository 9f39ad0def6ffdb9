/** Many finished jobs, and what a statement costs among them. */
import { type Params, parseSql, type Statement } from '../src/sql.ts'
import type { Store } from '../src/store/store.ts'

const insertJobs = parseSql(
  'test/finished-jobs',
  `with job as (
     insert into jobs (id, type, lane, status, attempt, max_attempts, created_by, trigger, created_at, started_at, finished_at)
     select :prefix::text || '_' || number, 'etl', 'warehouse', :status::text, 1, 3, 'key_test', '{"kind": "api"}',
       ended, ended, ended
     from generate_series(1, :count::integer) as number,
       lateral (select now() - :age::integer * interval '1 day' - number * interval '1 second' as ended) as times
     returning id, finished_at
   ),
   attempt as (
     insert into job_attempts (job_id, attempt, worker, started_at, finished_at, outcome)
     select id, 1, 'gone-1', finished_at, finished_at, 'succeeded' from job
   )
   insert into job_events (job_id, attempt, type, message)
   select id, 1, type, type from job, (values ('started'), ('succeeded')) as story (type)`
)

export interface FinishedJobs {
  /** Their ids are `prefix_1`, `prefix_2`... */
  prefix: string
  count: number
  status: 'succeeded' | 'failed' | 'cancelled'
  /** Days since they ended. */
  age: number
}

export async function addFinishedJobs(store: Store, jobs: FinishedJobs): Promise<void> {
  await store.query(insertJobs, { ...jobs })
}

interface Measured {
  Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number }
  'Execution Time': number
}

/** The plan of a statement, which is run and rolled back, and how many pages of 8 kB it touched. */
export async function explain(store: Store, statement: Statement, params: Params) {
  const analyzed = (format: string): Statement => ({
    ...statement,
    text: `explain (analyze, buffers, costs off, format ${format}) ${statement.text}`
  })
  async function run<Row>(format: string): Promise<Row[]> {
    const undo = new Error('rolled back')
    let rows: Row[] = []
    const undone = store.transaction(async (tx) => {
      rows = await tx.query<Row>(analyzed(format), params)
      throw undo
    })
    await undone.catch((error) => {
      if (error !== undo) throw error
    })
    return rows
  }
  const [measured] = (await run<{ 'QUERY PLAN': Measured[] }>('json')).flatMap((row) => row['QUERY PLAN'])
  if (measured === undefined) throw new Error(`${statement.name} has no plan`)
  const lines = await run<{ 'QUERY PLAN': string }>('text')
  return {
    plan: lines.map((row) => row['QUERY PLAN']).join('\n'),
    buffers: measured.Plan['Shared Hit Blocks'] + measured.Plan['Shared Read Blocks'],
    milliseconds: measured['Execution Time']
  }
}
