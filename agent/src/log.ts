/** One JSON object per line on standard output. */
export type Level = 'info' | 'warn' | 'error';

export class Log {
  constructor(
    private readonly context: Readonly<Record<string, unknown>> = {},
    private readonly write: (line: string) => void = toStdout,
  ) {}

  with(context: Readonly<Record<string, unknown>>): Log {
    return new Log({ ...this.context, ...context }, this.write);
  }

  info(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.line('info', message, fields);
  }

  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.line('warn', message, fields);
  }

  error(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.line('error', message, fields);
  }

  private line(level: Level, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.write(JSON.stringify({ time: new Date().toISOString(), level, message, ...this.context, ...fields }));
  }
}

function toStdout(line: string): void {
  process.stdout.write(`${line}\n`);
}
