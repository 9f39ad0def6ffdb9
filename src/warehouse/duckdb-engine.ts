/** What needs the engine's library, which takes a while to load: not before the warehouse's file is opened. */
export { DuckDBInstance } from '@duckdb/node-api'
export { runOn, streamOn } from './duckdb-run.ts'
export { createStaging } from './duckdb-stage.ts'
