// `causeway ring transcript` and `causeway ring verify`: how a key came to be, as a file that a stranger judges alone.
import { Failure, isRejected, toHex } from "@causeway/primitives";
import {
  parseTranscript,
  readTranscript,
  transcriptSizeMax,
  writeTranscript,
} from "../client/ring-transcript.ts";
import { verifyTranscript } from "../client/ring-verify.ts";
import { headerCodec } from "../codec/block.ts";
import { formatLock } from "../ledger/assets.ts";
import { genesisSizeMax, parseGenesis } from "../ledger/genesis-file.ts";
import { createBls } from "./bls.ts";
import { readSmall, writeNew } from "./govern-files.ts";
import { connect, parseWords, wholeNumber } from "./wallet-cli.ts";
import type { Terminal } from "./wallet-terminal.ts";
import { show } from "./wallet-terminal.ts";

export const transcriptUsage = `causeway ring transcript --key N [--out FILE]   how key N came to be, proven by the ledger
causeway ring verify FILE --genesis FILE --proofs FILE     judges a transcript, without a network: the two files of the genesis are all it trusts

Everywhere: [--node http://127.0.0.1:18501] [--network ID] [--json]`;

const options = {
  node: { type: "string" },
  network: { type: "string" },
  json: { type: "boolean", default: false },
  key: { type: "string" },
  out: { type: "string" },
  genesis: { type: "string" },
  proofs: { type: "string" },
} as const;
type Flags = ReturnType<typeof parseWords<typeof options>>["values"];

/** Words of `causeway ring` that are this file's. */
export const transcriptWords: readonly string[] = ["transcript", "verify"];

/** Throws Failure with a sentence; "usage" with the usage; the code of what is wrong with a transcript. */
export async function transcriptCommand(
  args: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const { values: flags, positionals } = parseWords(args, options, transcriptUsage);
  const [command, file, ...rest] = positionals;
  if (rest.length > 0 || (file === undefined) !== (command === "transcript"))
    throw new Failure("usage", transcriptUsage);
  await (file === undefined ? transcript(flags, terminal) : verify(file, flags, terminal));
}

async function transcript(flags: Flags, terminal: Terminal): Promise<void> {
  const keyId = wholeNumber("key", flags.key, 2 ** 32 - 1);
  const { client, genesis } = await connect(flags, terminal);
  const source = {
    prove: client.prove,
    ends: (from: number) => client.ask("ends", { from }),
    heightOf: (header: Uint8Array) => {
      const parsed = headerCodec.parse(header);
      if (isRejected(parsed)) throw new Failure("bad-response", parsed.message);
      return parsed.height;
    },
  };
  const text = writeTranscript(await readTranscript(source, genesis.networkId, keyId));
  if (flags.out === undefined) return terminal.print(text.trimEnd());
  writeNew(flags.out, text);
  show(terminal, flags, { written: flags.out, bytes: text.length });
}

async function verify(file: string, flags: Flags, terminal: Terminal): Promise<void> {
  if (flags.genesis === undefined || flags.proofs === undefined)
    throw new Failure("usage", `--genesis and --proofs are needed\n\n${transcriptUsage}`);
  const bls = createBls();
  const [body, proofs] = [flags.genesis, flags.proofs].map((path) =>
    readSmall(path, genesisSizeMax),
  );
  const genesis = parseGenesis(body as Uint8Array, proofs as Uint8Array, bls);
  if (isRejected(genesis)) throw new Failure(genesis.code, genesis.message);
  const text = Buffer.from(readSmall(file, transcriptSizeMax)).toString("latin1");
  const read = parseTranscript(text);
  if (isRejected(read)) throw new Failure(read.code, `${file}: ${read.message}`);
  const verdict = verifyTranscript(genesis, bls, read);
  if (isRejected(verdict)) throw new Failure(verdict.code, verdict.message);
  const { groupPoint, chain, seats, qualified, voided, guilty, ...rest } = verdict;
  show(terminal, flags, {
    ...rest,
    network: toHex(genesis.networkId),
    chain: toHex(chain),
    groupPoint: toHex(groupPoint),
    qualified: qualified.join(" "),
    voided: voided.join(" "),
    guilty: guilty.join(" "),
    seats: seats.map(
      ({ validator, share, confirmed }) =>
        `${formatLock(validator)} ${toHex(share)}${confirmed ? "" : " (not confirmed)"}`,
    ),
    verified: true,
  });
}
