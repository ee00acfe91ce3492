// Structured log: one JSON object a line on stderr (pino), secrets redacted, nothing computed below the level.
import { pino } from "pino";
import type { Log } from "../ports.ts";

const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Names of fields whose value never reaches the log, at the first two depths. */
const secretNames = [
  "secret",
  "secrets",
  "password",
  "passphrase",
  "share",
  "nonce",
  "authorization",
];

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;
type Underlying = Readonly<Record<"debug" | "info" | "warn" | "error", Write>> & {
  readonly child: (fields: Record<string, unknown>) => Underlying;
};

/** `name` is the process ("node", "signer", "gateway"); bytes are logged as hex, bigints as digits. */
export function startLog(name: string, level: LogLevel = "info"): Log {
  const logger = pino(
    {
      name,
      level,
      base: { name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: "message",
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretNames.flatMap((key) => [key, `*.${key}`]), censor: "[secret]" },
    },
    pino.destination({ fd: 2, sync: true }),
  );
  return wrap(logger as unknown as Underlying, level);
}

function wrap(logger: Underlying, level: LogLevel): Log {
  const from = logLevels.indexOf(level);
  const at = (of: "debug" | "info" | "warn" | "error"): Log["info"] =>
    logLevels.indexOf(of) < from
      ? () => undefined
      : (message, fields) => logger[of](fields === undefined ? {} : printable(fields), message);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(logger.child(printable(fields)), level),
  };
}

/** JSON has neither bytes nor bigints nor errors. */
function printable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) out[key] = printableValue(value);
  return out;
}

function printableValue(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value instanceof Error) {
    const code = (value as { code?: unknown }).code;
    return { name: value.name, message: value.message, ...(code === undefined ? {} : { code }) };
  }
  if (Array.isArray(value)) return value.map(printableValue);
  if (typeof value === "object" && value !== null)
    return printable(value as Record<string, unknown>);
  return value;
}
