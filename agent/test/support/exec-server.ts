/** The API server's side of an exec: the handshake of a WebSocket and its frames, as far as a command needs them. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';

/** RFC 6455. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BINARY = 0x82;
const PONG = 0x8a;
const CLOSE = 0x88;
/** Of a client, which has to end its message with it. */
const PING = 0x89;
const LENGTH_FOLLOWS = 126;

/** Frames of a server are not masked; all of these are short. */
function frame(kind: number, payload: Buffer): Buffer {
  const long = Buffer.alloc(3, LENGTH_FOLLOWS);
  long.writeUInt16BE(payload.length, 1);
  const length = payload.length < LENGTH_FOLLOWS ? Buffer.from([payload.length]) : long;
  return Buffer.concat([Buffer.from([kind]), length, payload]);
}

export interface Command {
  readonly path: string;
  readonly query: URLSearchParams;
  print(stream: 'out' | 'err', bytes: Buffer | string): void;
  /** The status that ends a command. */
  end(status: object): void;
  /** As a network does that goes away. */
  cut(): void;
}

export class ExecServer {
  private constructor(private readonly server: Server) {}

  /** Without `run` every command is refused. */
  static async start(
    test: TestContext, run: ((command: Command) => void) | undefined, answersPings = true,
  ): Promise<ExecServer> {
    const sockets = new Set<Socket>();
    const server = createServer((_, response) => {
      response.writeHead(403);
      response.end('{"message":"forbidden"}');
    });
    server.on('connection', (socket) => sockets.add(socket));
    if (run) {
      server.on('upgrade', ({ url, headers }, socket) => {
        const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${MAGIC}`).digest('base64');
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`);
        socket.on('error', () => undefined);
        socket.on('data', (data: Buffer) => {
          if (answersPings && data[0] === PING) socket.write(frame(PONG, Buffer.alloc(0)));
        });
        run(commandOn(new URL(url ?? '', 'http://server'), socket));
      });
    }
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    test.after(() => {
      server.close();
      sockets.forEach((socket) => socket.destroy());
    });
    return new ExecServer(server);
  }

  get config(): KubeConfig {
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: 'test', server, skipTLSVerify: true }, { name: 'job', token: 'secret' });
    return config;
  }
}

function commandOn(url: URL, socket: Duplex): Command {
  const send = (channel: number, bytes: Buffer) => (
    socket.write(frame(BINARY, Buffer.concat([Buffer.from([channel]), bytes])))
  );
  return {
    path: url.pathname,
    query: url.searchParams,
    print: (stream, bytes) => void send(stream === 'out' ? 1 : 2, Buffer.from(bytes)),
    end: (status) => {
      send(3, Buffer.from(JSON.stringify(status)));
      socket.write(frame(CLOSE, Buffer.from([0x03, 0xe8])));
    },
    cut: () => void socket.destroy(),
  };
}
