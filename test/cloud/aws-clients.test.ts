import t from 'tap'
import { createAwsClients } from '../../src/cloud/aws-clients.ts'

const services = ['redshift', 'iam', 'ec2', 'sts', 's3']

t.beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
})

t.test('requests go to AWS unless something redirects them', async (t) => {
  const clients = createAwsClients({ region: 'eu-west-1' })
  const endpoints = await clients.endpoints()
  t.same(
    endpoints.map(({ service }) => service),
    services
  )
  t.ok(endpoints.every(({ isAws }) => isAws))
  t.match(endpoints[0], { url: 'https://redshift.eu-west-1.amazonaws.com' })
  clients.close()
})

t.test('a stray variable is found out, without a request and without credentials', async (t) => {
  process.env.AWS_ENDPOINT_URL = 'http://localhost:4566'
  process.env.AWS_ENDPOINT_URL_IAM = 'https://user:secret@proxy.example.com:8443/iam'
  const endpoints = await createAwsClients({ region: 'us-west-2' }).endpoints()
  t.same(
    endpoints.map(({ service, url, isAws }) => `${service} ${url} ${isAws}`),
    [
      'redshift http://localhost:4566 false',
      'iam https://proxy.example.com:8443 false',
      'ec2 http://localhost:4566 false',
      'sts http://localhost:4566 false',
      's3 http://localhost:4566 false'
    ]
  )
})

t.test('an endpoint in code counts most', async (t) => {
  process.env.AWS_ENDPOINT_URL = 'http://localhost:4566'
  const endpoints = await createAwsClients({
    region: 'us-west-2',
    endpoint: 'http://127.0.0.1:1'
  }).endpoints()
  t.ok(endpoints.every(({ url }) => url === 'http://127.0.0.1:1'))
})

t.test('buckets may be in another region', async (t) => {
  const endpoints = await createAwsClients({ region: 'eu-west-1', sourceRegion: 'us-west-2' }).endpoints()
  t.match(endpoints.at(-1), { service: 's3', url: 'https://s3.us-west-2.amazonaws.com' })
})
