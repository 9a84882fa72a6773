// Calls every method of a published customerio-node against the gateway at HOST PORT.
//
//   node node.cjs PACKAGE HOST PORT
//
// Prints one JSON line for each call: what the client returned or why it threw. A method of the
// client that no call below exercises fails the run, so that a new one is noticed.

const [, , packageName, host, port] = process.argv;
const { TrackClient } = require(packageName);

const url = `https://${host}:${port}/api/v1`;
const client = (key) => new TrackClient('sdk-site', key, { url, port: Number(port) });

const calls = [
  ['identify', 'n-1', { email: 'jo@example.com', created_at: 1420070400, name: 'Zoë', tags: ['a', 'b'], more: { x: null } }],
  ['identify', "a/b c?d#e%f'ü", {}],
  ['identify', 'jo+n@example.com', { anonymous_id: 'anon-n', _timestamp: 1700000000 }],
  ['identify', 7],
  ['destroy', 'n-2'],
  ['suppress', 'n-3'],
  ['unsuppress', 'n-3'],
  ['track', 'n-4', { name: 'order_paid', id: '01JB7Q2N4V8XKZ3T5M6R9SDYHE', timestamp: 1700000000, data: { total: 18.5, note: null } }],
  ['track', 'n-4', { name: 'ping' }],
  ['trackAnonymous', 'anon-n', { name: 'seen', data: { a: 1 } }],
  ['trackAnonymous', '', { name: 'guest_invited', data: { recipient: 'noor@example.net' } }],
  ['trackPageView', 'n-5', 'https://shop.example/plans'],
  ['trackPush', { delivery_id: 'dlv-n', event: 'opened', device_id: 'tok', timestamp: 1700000000 }],
  ['addDevice', 'n-6', 'tok:en/1', 'ios', { last_used: 1735689600, app_version: '4.7.1', primary: true }],
  ['addDevice', 'n-6', 'tok-2', 'android'],
  ['deleteDevice', 'n-6', 'tok:en/1'],
  ['mergeCustomers', 'id', 'n-7', 'cio_id', '0a0b01'],
  ['batch', [
    { type: 'person', action: 'identify', identifiers: { id: 'n-8' }, attributes: { plan: 'solo' } },
    { type: 'person', action: 'event', identifiers: { email: 'jo@example.com' }, name: 'ping', attributes: {} },
    { type: 'object', action: 'identify', identifiers: { object_type_id: '1', object_id: 'nordlys' }, attributes: { desks: 12 } },
  ]],
  ['getAccountRegion'],
  ['entity', { type: 'person', action: 'delete', identifiers: { id: 'n-9' } }],
  ['addCustomersToSegment', 12, ['n-10', 'n-11']],
  ['removeCustomersFromSegment', 12, ['jo@example.com'], 'email'],
  ['submitForm', 'contact us', { email: 'mara@example.com', given_name: 'Mara' }],
  ['reportMetric', { delivery_id: 'dlv-m', metric: 'clicked', href: 'https://shop.example/', recipient: 'jo@example.com' }],
  ['unsubscribe', 'dlv-u'],
];

async function attempt(call, promise) {
  try {
    return { call, answer: await promise };
  } catch (error) {
    return { call, error: error.statusCode ?? String(error) };
  }
}

async function main() {
  const methods = Object.getOwnPropertyNames(TrackClient.prototype).filter((name) => name !== 'constructor');
  const covered = new Set(calls.map(([name]) => name));
  const forgotten = methods.filter((name) => !covered.has(name));
  if (forgotten.length > 0) throw new Error(`no call exercises ${forgotten.join(', ')}`);

  const cio = client('sdk key/+~?');
  for (const [name, ...args] of calls.filter(([name]) => methods.includes(name))) {
    console.log(JSON.stringify(await attempt(name, cio[name](...args))));
  }
  console.log(JSON.stringify(await attempt('wrong key', client('wrong').identify('n-1', {}))));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
