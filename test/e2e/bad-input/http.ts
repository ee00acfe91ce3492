// Requests that no honest client sends, and what a typed refusal looks like (SEAMS: JSON-RPC of a node, portal).

export type Answer = {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown> | undefined;
};

export async function send(
  url: string,
  method: string,
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<Answer> {
  const signal = AbortSignal.timeout(10_000);
  const reply = await fetch(url, { method, signal, ...(body === undefined ? {} : { body }) });
  const text = await reply.text();
  let json: Record<string, unknown> | undefined;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    json = undefined;
  }
  return { status: reply.status, text, json };
}

/** Number and literal code of a JSON-RPC error, "-32602 bad-params", also in a batch of one; else the whole answer. */
export function rpcRefusal({ json, text }: Answer): string {
  const [answer] = Array.isArray(json) && json.length === 1 ? json : [json];
  const error = answer?.error as
    | { code?: unknown; message?: unknown; data?: { code?: unknown } }
    | undefined;
  const isTyped =
    typeof error?.code === "number" &&
    typeof error.message === "string" &&
    error.message !== "" &&
    typeof error.data?.code === "string";
  return isTyped ? `${error.code} ${error.data?.code}` : `untyped: ${text.slice(0, 300)}`;
}

/** "400 bad-amount" of the portal; the whole answer if it is no refusal. */
export function portalRefusal({ status, json, text }: Answer): string {
  const error = json?.error as { code?: unknown; message?: unknown } | undefined;
  const isTyped =
    typeof error?.code === "string" && typeof error.message === "string" && error.message !== "";
  return isTyped ? `${status} ${error.code}` : `untyped: ${status} ${text.slice(0, 300)}`;
}

/** Objects within objects, valid JSON. */
export function deepObject(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

export function deepArray(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** Bytes that are the same in every run of the same seed (mulberry32). */
export function randomBytes(seed: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let a = seed >>> 0;
  for (let i = 0; i < size; i++) {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    bytes[i] = (t ^ (t >>> 14)) & 0xff;
  }
  return bytes;
}
