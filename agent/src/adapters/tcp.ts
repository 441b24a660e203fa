import { connect, type Socket } from 'node:net';
import type { HeldConnection, Network, Reach } from '../ports/network.js';

/** A dead peer whose node lives resets at once; keep-alives only serve to notice a path that is gone for good. */
const KEEP_ALIVE_MS = 5000;

export class Tcp implements Network {
  probe(host: string, port: number, timeoutMs: number): Promise<Reach> {
    return new Promise((resolve) => {
      const socket = connect({ host, port });
      const end = (reach: Reach) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(reach);
      };
      const timer = setTimeout(() => end('silent'), timeoutMs);
      socket.once('connect', () => end('answers'));
      socket.on('error', (problem: NodeJS.ErrnoException) => end(problem.code === 'ECONNREFUSED' ? 'refuses' : 'silent'));
    });
  }

  hold(host: string, port: number, ended: () => void): HeldConnection {
    const socket: Socket = connect({ host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    let told = false;
    const tell = () => {
      if (told) return;
      told = true;
      socket.destroy();
      ended();
    };
    socket.on('error', tell);
    socket.on('close', tell);
    // Nothing is ever asked on it, so an end of stream is all that can come.
    socket.on('end', tell);
    socket.resume();
    return {
      close: () => {
        told = true;
        socket.destroy();
      },
    };
  }
}
