import t from 'tap'
import { canonicalCidr, canonicalCidr6 } from './cidr.ts'

t.test('ranges lose the bits beyond their prefix', async (t) => {
  const four: [string, string | undefined][] = [
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['203.0.113.7/32', '203.0.113.7/32'],
    ['100.68.0.18/18', '100.68.0.0/18'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['1.2.3.4/0', '0.0.0.0/0'],
    ['1.2.3.4', undefined],
    ['1.2.3/8', undefined],
    ['1.2.3.4/33', undefined],
    ['1.2.3.4/8/8', undefined],
    ['1.2.3.4/', undefined],
    ['1.2.3.256/8', undefined],
    ['::/0', undefined]
  ]
  for (const [text, canonical] of four) t.equal(canonicalCidr(text), canonical, text)
  const six: [string, string | undefined][] = [
    ['2001:DB8:0:0:0:0:0:1/32', '2001:db8::/32'],
    ['2001:db8::1/128', '2001:db8::1/128'],
    ['1:2:3:4:5:6:7:8/127', '1:2:3:4:5:6:7:8/127'],
    ['1:2:3:4:5:6:7:9/127', '1:2:3:4:5:6:7:8/127'],
    ['ffff::/1', '8000::/1'],
    ['::1/0', '::/0'],
    ['::/129', undefined],
    [':::/8', undefined],
    ['10.0.0.0/8', undefined]
  ]
  for (const [text, canonical] of six) t.equal(canonicalCidr6(text), canonical, text)
})
