import t from 'tap'
import { testInterruption } from './interruption.ts'
import { scenarios } from './scenarios.ts'

for (const scenario of scenarios.pauses) testInterruption(t, scenario)
