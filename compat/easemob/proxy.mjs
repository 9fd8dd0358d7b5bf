// A network between an SDK and its server that breaks as networks do: without a word to the server.
import { connect, createServer } from 'node:net';

/** Listens, and passes on what comes to the server at `url`. */
export async function proxyTo(url) {
  const { hostname, port } = new URL(url);
  const pairs = new Set();
  const server = createServer((client) => {
    const far = connect(Number(port), hostname);
    const pair = { client, far };
    pairs.add(pair);
    client.on('error', () => {}).pipe(far);
    far.on('error', () => {}).pipe(client);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** From now on nothing arrives, on either side of the connections that are there. */
    hold() {
      for (const { client, far } of pairs) {
        client.unpipe(far).pause();
        far.unpipe(client).pause();
      }
    },
    /** The SDK notices, the server does not: its side of the connections stays open. */
    drop() {
      pairs.forEach(({ client }) => client.destroy());
    },
    close() {
      pairs.forEach(({ client, far }) => [client, far].forEach((socket) => socket.destroy()));
      server.close();
    },
  };
}
