import t from 'tap'
import { testAbandonment, testInterruption } from './interruption.ts'
import { scenarios } from './scenarios.ts'

for (const scenario of scenarios.provisions) testInterruption(t, scenario)
for (const scenario of scenarios.provisions.slice(0, 1)) testAbandonment(t, scenario)
