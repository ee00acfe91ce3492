// How the demo tells what it does: for people, or one JSON object a line.
import { formatAmount, toHex } from "@causeway/primitives";

export type Facts = Readonly<Record<string, unknown>>;

export type Reporter = {
  /** A step begins. */
  readonly begin: (index: number, title: string) => void;
  /** It ended after `ms`; `facts` is what a stranger can check. */
  readonly end: (step: string, ms: number, facts: Facts) => void;
  readonly note: (text: string) => void;
  /** The last line. */
  readonly finish: (result: Facts) => void;
};

/** Bytes as hex, bigints as decimal strings. */
export function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

function line(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function jsonReporter(): Reporter {
  return {
    begin: () => undefined,
    end: (step, ms, facts) => line(JSON.stringify(plain({ step, ms, ...facts }))),
    note: () => undefined,
    finish: (result) => line(JSON.stringify(plain(result))),
  };
}

export function humanReporter(): Reporter {
  return {
    begin: (index, title) => line(`\n${index}. ${title}`),
    end: (_, ms, facts) => {
      for (const [name, value] of Object.entries(facts)) line(`   ${name}: ${brief(value)}`);
      line(`   (${(ms / 1000).toFixed(1)} s)`);
    },
    note: (text) => line(`   ${text}`),
    finish: (result) => {
      line("");
      for (const [name, value] of Object.entries(result)) line(`${name}: ${brief(value)}`);
    },
  };
}

function brief(value: unknown): string {
  const text = plain(value);
  return typeof text === "string" ? text : JSON.stringify(text);
}

/** Satoshis as people read them. */
export function btc(sats: bigint): string {
  return `${formatAmount(sats, 8)} BTC`;
}
