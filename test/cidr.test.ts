import t from 'tap'
import { canonicalCidr, isIpv6, isOpen } from '../src/cidr.ts'

t.test('ranges get the spelling that EC2 keeps', async (t) => {
  const cases: [string, string | undefined][] = [
    ['203.0.113.7/32', '203.0.113.7/32'],
    [' 203.0.113.7 ', '203.0.113.7/32'],
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['100.68.0.18/18', '100.68.0.0/18'],
    ['203.0.113.7/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['2001:DB8:0::1/64', '2001:db8::/64'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::ffff:1.2.3.4/128', '::ffff:102:304/128'],
    ['1:2:3:4:5:6:7:8/127', '1:2:3:4:5:6:7:8/127'],
    ['1.2.3.4/33', undefined],
    ['1.2.3/8', undefined],
    ['1.2.3.4/', undefined],
    ['1.2.3.4/8/9', undefined],
    ['1.2.3.4/-1', undefined],
    ['fe80::1%eth0/64', undefined],
    ['example.com', undefined],
    ['', undefined]
  ]
  for (const [text, canonical] of cases) t.equal(canonicalCidr(text), canonical, text)
})

t.test('what is open, and what is IPv6', async (t) => {
  t.same(['0.0.0.0/0', '::/0', '10.0.0.0/8'].map(isOpen), [true, true, false])
  t.same(['::/0', '10.0.0.0/8'].map(isIpv6), [true, false])
})
