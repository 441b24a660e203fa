import { createHmac } from 'node:crypto';
import { get } from 'node:http';
import { httpCall } from './http-call.js';
import type { GaleraMembers, MemberAnswer, MemberRequest, MemberStream } from '../ports/galera-members.js';
import type { HeldConnection } from '../ports/network.js';

const PORT = 9200;
/** A whole state is some kB. */
const LONGEST_LINE = 1024 * 1024;

/** The time is signed too, so that an old request is worth nothing. */
function authorization({ path, key }: MemberRequest, body: string): string {
  const seconds = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', key).update(`${seconds}\nPOST\n${path}\n${body}`).digest('hex');
  return `Everest ${seconds} ${signature}`;
}

export class GaleraHttp implements GaleraMembers {
  async state(host: string, timeoutMs: number): Promise<string> {
    const { status, body } = await httpCall({ host, port: PORT, method: 'GET', path: '/state', timeoutMs });
    if (status !== 200) throw new Error(`status ${status}`);
    return body;
  }

  watch(host: string, stream: MemberStream): HeldConnection {
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      sent.destroy();
      stream.ended();
    };
    const sent = get({ host, port: PORT, path: '/watch', agent: false }, (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        const lines = (rest + part).split('\n');
        rest = lines.pop()!;
        if (rest.length > LONGEST_LINE) return end();
        if (!over) lines.forEach((text) => stream.line(text));
      });
      response.on('close', end);
      if (response.statusCode !== 200) end();
    });
    sent.on('error', end);
    return {
      close: () => {
        over = true;
        sent.destroy();
      },
    };
  }

  post(host: string, request: MemberRequest, timeoutMs: number): Promise<MemberAnswer> {
    const body = JSON.stringify(request.body);
    const headers = { authorization: authorization(request, body) };
    return httpCall({ host, port: PORT, method: 'POST', path: request.path, body, headers, timeoutMs });
  }
}
