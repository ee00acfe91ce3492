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
      for (const [name, value] of Object.entries(facts))
        if (!forMachines.has(name)) line(`   ${name}: ${brief(value)}`);
      line(`   (${(ms / 1000).toFixed(1)} s)`);
    },
    note: (text) => line(`   ${text}`),
    finish: (result) => {
      line("");
      for (const [name, value] of Object.entries(result)) line(`${name}: ${brief(value)}`);
    },
  };
}

/** What only a program can read; the JSON lines have it. */
const forMachines: ReadonlySet<string> = new Set([
  "header",
  "certificate",
  "reserves",
  "pids",
  "genesis",
  "genesisProofs",
]);

/** One line a value; a receipt as its states, a list as its items. */
function brief(value: unknown): string {
  const text = plain(value);
  if (typeof text !== "object" || text === null) return String(text);
  if (Array.isArray(text)) return text.map(brief).join(", ");
  const { steps } = text as { steps?: readonly { state: string; at: number }[] };
  if (steps !== undefined) return steps.map(stepOf).join(" -> ");
  const fields = Object.entries(text).map(([name, inner]) => `${name} ${brief(inner)}`);
  return fields.join(", ");
}

function stepOf(
  { state, at }: { state: string; at: number },
  index: number,
  all: readonly { at: number }[],
): string {
  const since = all[index - 1]?.at;
  return since === undefined ? state : `${state} (+${((at - since) / 1000).toFixed(1)} s)`;
}

/** Satoshis as people read them. */
export function btc(sats: bigint): string {
  return `${formatAmount(sats, 8)} BTC`;
}
