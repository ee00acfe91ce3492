// The transcript of a key's ceremony (RNG-3): everything that a stranger with the genesis alone needs to recompute who
// dealt right, what the key is and who holds which share of it. All of it are final records with their proofs (CON-8)
// and the committees' signatures on the way there (CON-6); ring-verify.ts judges it.
import type { NetworkId, Rejected } from "@causeway/primitives";
import { equal, Failure, isRejected, parseHex, rejected, toHex } from "@causeway/primitives";
import { complaints } from "../ledger/ring/complaint-records.ts";
import type { StateReader } from "../ledger/state.ts";
import { recordProofCodec } from "../ledger/tree.ts";
import type { Ceremony } from "../ring/records.ts";
import { ceremonies, deals, keys, oldRings, purposes } from "../ring/records.ts";
import type { EndsResult, FinalityResult, ProveResult } from "./types.ts";

/** Bytes of codecs, as a node gave them. */
export type RingTranscript = {
  readonly network: Uint8Array;
  readonly keyId: number;
  /** Last headers of epochs from the first on, as far as the newest header needs them. */
  readonly ends: readonly Finality[];
  /** The header that the records are proven by. */
  readonly newest: Finality;
  /** In the order of {@link transcriptKeys}. */
  readonly records: readonly TranscriptRecord[];
};
/** `committee`: the one that the header names as next; empty where nothing follows that needs it. */
type Finality = {
  readonly header: Uint8Array;
  readonly certificate: Uint8Array;
  readonly committee: Uint8Array;
};
/** An empty value: proven absent. The proof has zeros for the root of the record's own module, which nobody reads. */
export type TranscriptRecord = { readonly value: Uint8Array; readonly proof: Uint8Array };

const title = "causeway ring transcript 1";
/** Largest field, bytes: a bucket of records in a proof. */
const fieldSizeMax = 2 * 1024 * 1024;
/** Largest file that is read, bytes: 150 deals, and the committees of some thousand epochs. */
export const transcriptSizeMax: number = 256 * 1024 * 1024;

/** Those whom a complaint has convicted, each once, ascending. */
export function guiltyDealers({ voided, wronged }: Ceremony): number[] {
  const all = new Set([...voided, ...wronged.map(({ dealer }) => dealer)]);
  return [...all].sort((a, b) => a - b);
}

/** The records of a key's last ceremony, as far as `view` has those that name others. */
export function transcriptKeys(view: StateReader, keyId: number): Uint8Array[] {
  const out = [ceremonies.key(keyId), keys.key(keyId)];
  const ceremony = ceremonies.get(view, keyId);
  if (ceremony === undefined) return out;
  const { attempt, dealt, purpose } = ceremony;
  if (purpose === purposes.reshare) out.push(oldRings.key({ keyId, attempt }));
  for (const seat of dealt) out.push(deals.key({ keyId, attempt, seat }));
  for (const dealer of guiltyDealers(ceremony))
    out.push(complaints.key({ keyId, attempt, dealer }));
  return out;
}

export type TranscriptSource = {
  readonly prove: (keys: readonly Uint8Array[]) => Promise<ProveResult>;
  readonly ends: (from: number) => Promise<EndsResult>;
  readonly heightOf: (header: Uint8Array) => number;
};

/** Of a key whose ceremony is over. Throws Failure "no-key", "bad-response". */
export async function readTranscript(
  source: TranscriptSource,
  network: NetworkId,
  keyId: number,
): Promise<RingTranscript> {
  const first = await source.prove([ceremonies.key(keyId)]);
  const [found] = first.records;
  if (found?.value === undefined) throw new Failure("no-key", `the ledger has no key ${keyId}`);
  const view: StateReader = {
    get: (key) => (equal(key, ceremonies.key(keyId)) ? found.value : undefined),
  };
  const wanted = transcriptKeys(view, keyId);
  const newest = await source.prove(wanted);
  const same = newest.records[0]?.value;
  if (newest.records.length !== wanted.length || same === undefined || !equal(same, found.value))
    throw new Failure("bad-response", "the ceremony changed while it was read: try again");
  const height = source.heightOf(newest.header);
  const ends: Finality[] = [];
  for (let from = 1; ; ) {
    const page = await source.ends(from);
    const older = page.ends.filter(({ header }) => source.heightOf(header) < height);
    ends.push(...older.map(withCommittee));
    const last = older.at(-1);
    if (last === undefined || older.length < page.ends.length) break;
    from = source.heightOf(last.header) + 1;
  }
  const { header, certificate } = newest;
  return {
    network,
    keyId,
    ends,
    newest: { header, certificate, committee: new Uint8Array(0) },
    records: newest.records.map(({ key, value, proof }) => ({
      value: value ?? new Uint8Array(0),
      proof: canonical(proof, key[0] ?? 0),
    })),
  };
}

function withCommittee({ header, certificate, committee }: FinalityResult): Finality {
  if (committee === undefined)
    throw new Failure("pruned", "the node has forgotten a committee: ask one that keeps them");
  return { header, certificate, committee };
}

function canonical(bytes: Uint8Array, module: number): Uint8Array {
  const proof = recordProofCodec.parse(bytes);
  if (isRejected(proof)) throw new Failure("bad-response", proof.message);
  const modules = proof.modules.map((one, i) => (i === module - 1 ? new Uint8Array(32) : one));
  return recordProofCodec.encode({ ...proof, modules });
}

const finalityText = ({ header, certificate, committee }: Finality) => ({
  header: toHex(header),
  certificate: toHex(certificate),
  committee: toHex(committee),
});

/** The one way to write it: a file that differs in a byte is another's. */
export function writeTranscript(transcript: RingTranscript): string {
  const { network, keyId, ends, newest, records } = transcript;
  const text = {
    transcript: title,
    network: toHex(network),
    keyId,
    ends: ends.map(finalityText),
    newest: finalityText(newest),
    records: records.map(({ value, proof }) => ({ value: toHex(value), proof: toHex(proof) })),
  };
  return `${JSON.stringify(text, null, 1)}\n`;
}

/** Bytes of unknown origin. "bad-file" names the first thing that is not as it is written. */
export function parseTranscript(text: string): RingTranscript | Rejected<"bad-file"> {
  const bad = (why: string): Rejected<"bad-file"> => rejected("bad-file", why);
  if (text.length > transcriptSizeMax) return bad(`more than ${transcriptSizeMax} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return bad("is no JSON");
  }
  const mistakes: string[] = [];
  const { network, keyId, ends, newest, records } = fieldsOf(json);
  const read: RingTranscript = {
    network: bytesOf(network, "network", mistakes),
    keyId: typeof keyId === "number" && Number.isSafeInteger(keyId) ? keyId : -1,
    ends: listOf(ends).map((one, i) => finalityOf(one, `ends ${i}`, mistakes)),
    newest: finalityOf(newest, "newest", mistakes),
    records: listOf(records).map((one, i) => ({
      value: bytesOf(fieldsOf(one).value, `value of record ${i}`, mistakes),
      proof: bytesOf(fieldsOf(one).proof, `proof of record ${i}`, mistakes),
    })),
  };
  const [mistake] = mistakes;
  if (mistake !== undefined) return bad(mistake);
  if (writeTranscript(read) !== text) return bad("is not written as a transcript is");
  return read;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function bytesOf(value: unknown, what: string, mistakes: string[]): Uint8Array {
  const bytes = value === "" ? new Uint8Array(0) : parseHex(value, { sizeMax: fieldSizeMax });
  if (!isRejected(bytes)) return bytes;
  mistakes.push(`${what} is no hex`);
  return new Uint8Array(0);
}

function finalityOf(value: unknown, what: string, mistakes: string[]): Finality {
  const { header, certificate, committee } = fieldsOf(value);
  return {
    header: bytesOf(header, `header of ${what}`, mistakes),
    certificate: bytesOf(certificate, `certificate of ${what}`, mistakes),
    committee: bytesOf(committee, `committee of ${what}`, mistakes),
  };
}
