/** The permissions that docs/redshift.md lists are the ones that the code needs. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'

const folder = new URL('../../src/cloud/', import.meta.url)
const document = readFileSync(new URL('../../docs/redshift.md', import.meta.url), 'utf8')

/** What AWS asks for beside the action that is called. */
const implied = [
  'iam:TagRole',
  'iam:PassRole',
  'ec2:CreateTags',
  'redshift:CreateTags',
  'redshift:CreateClusterSnapshot'
]

t.test('every action that is called is listed, and no other', async (t) => {
  const called = readdirSync(folder).flatMap((name) =>
    [...readFileSync(new URL(name, folder), 'utf8').matchAll(/callAws\(\s*'([^']+)'/g)].map(
      ([, action]) => action
    )
  )
  const listed = [...document.matchAll(/\b((?:iam|ec2|redshift|sts):[A-Z]\w+)/g)].map(([, action]) => action)
  t.same([...new Set(listed)].sort(), [...new Set([...called, ...implied])].sort())
})

t.test(
  'the policy for the service allows these actions, and changes nothing beyond the deployment',
  async (t) => {
    const policy = JSON.parse(
      readFileSync(new URL('../../ops/iam-policy.json', import.meta.url), 'utf8')
    ) as {
      Statement: { Sid: string; Action: string | string[]; Resource: string | string[] }[]
    }
    const listed = [...document.matchAll(/\b((?:iam|ec2|redshift|sts|s3):[A-Z]\w+)/g)].map(
      ([, action]) => action
    )
    const allowed = policy.Statement.flatMap(({ Action }) => Action)
    t.same([...new Set(allowed)].sort(), [...new Set(listed)].sort())
    for (const { Sid, Action, Resource } of policy.Statement) {
      const isReading = [Action].flat().every((action) => /:(Get|List|Describe)/.test(action))
      for (const resource of [Resource].flat()) {
        t.ok(isReading || resource.startsWith('arn:aws:'), `${Sid}: ${resource}`)
      }
    }
    const pass = policy.Statement.find(({ Action }) => [Action].flat().includes('iam:PassRole'))
    t.match(pass, { Condition: { StringEquals: { 'iam:PassedToService': 'redshift.amazonaws.com' } } })
  }
)
