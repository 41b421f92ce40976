// Runs inside a host: gives the test process TCP connections of that namespace over one unix socket.
// A client's first line is JSON, {"connect":{host,port,localAddress}} or {"listen":{host,port}} (one connection
// is taken); the answer is a line 'ok' or 'error …', then bytes are carried both ways.
import { connect, createServer, type Socket } from 'node:net';

const path = process.argv[2];
if (path === undefined) throw new Error('usage: relay-process.ts SOCKET');

type Request =
  | { readonly connect: { readonly host: string; readonly port: number; readonly localAddress: string } }
  | { readonly listen: { readonly host: string; readonly port: number } };

createServer((client) => {
  client.once('data', (line) => {
    const request = JSON.parse(line.toString()) as Request;
    if ('connect' in request) {
      const remote = connect(request.connect);
      remote.once('connect', () => join(client, remote));
      remote.once('error', (error) => client.end(`error ${error.message}\n`));
      return;
    }
    const server = createServer({ allowHalfOpen: false }, (remote) => {
      server.close();
      join(client, remote);
    });
    server.once('error', (error) => client.end(`error ${error.message}\n`));
    server.listen(request.listen.port, request.listen.host);
    client.once('close', () => server.close());
  });
  client.on('error', () => {});
}).listen(path, () => console.log('ready'));

function join(client: Socket, remote: Socket): void {
  remote.setNoDelay(true);
  client.write('ok\n');
  remote.on('data', (bytes) => client.write(bytes));
  client.on('data', (bytes) => remote.write(bytes));
  remote.on('close', () => client.end());
  client.on('close', () => remote.destroy());
  remote.on('error', () => client.end());
}
