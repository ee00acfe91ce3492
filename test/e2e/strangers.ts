// A stranger's eyes: a light client that starts at the genesis files and believes only proofs, and plain RPC to the
// chains.
import { readFileSync } from "node:fs";
import { parseGenesis } from "@causeway/chain-core";
import { createBls } from "@causeway/chain-core/adapters/bls";
import { nodeClient } from "@causeway/chain-core/client";
import type { Genesis, Table } from "@causeway/chain-core/interchain";
import { certificateCodec, headerCodec } from "@causeway/chain-core/interchain";
import type { Trusted } from "@causeway/chain-core/light";
import { advance, trustGenesis, verifyRecords } from "@causeway/chain-core/light";
import type { Transport } from "@causeway/primitives";
import { isRejected } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
// The proof's bytes belong to the state tree; the test reads them as any client library would.
import { recordProofCodec } from "../../chain-core/src/ledger/tree.ts";

/** The value, or its refusal thrown. */
export function accepted<T>(value: T): Exclude<T, { kind: "rejected" }> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, { kind: "rejected" }>;
}

export function loadGenesis(bodyFile: string, proofsFile: string): Genesis {
  return accepted(parseGenesis(readFileSync(bodyFile), readFileSync(proofsFile), createBls()));
}

export type Stranger = {
  readonly genesis: Genesis;
  /** The proven value of a record at the node's newest header, followed from the genesis by certificates. */
  readonly proven: <K, V>(table: Table<K, V>, key: K) => Promise<V | undefined>;
  /** Waits until the newest header is above `height`: it commits to the state after that block (FMT-7). */
  readonly waitAbove: (height: number) => Promise<void>;
};

export function stranger(genesis: Genesis, nodeUrl: string): Stranger {
  const bls = createBls();
  const node = nodeClient(rpcClient({ url: nodeUrl }));
  let trusted: Trusted = trustGenesis(genesis);
  return {
    genesis,
    waitAbove: async (height) => {
      const reached = await node.waitForHeight(height + 1, 20_000);
      if (reached <= height) throw new Error(`the ledger stays at ${reached}`);
    },
    proven: async (table, of) => {
      const key = table.key(of);
      const reply = await node.prove([key]);
      const header = accepted(headerCodec.parse(reply.header));
      const certificate = accepted(certificateCodec.parse(reply.certificate));
      const update = { header, certificate, committee: reply.committee };
      trusted = accepted(advance(genesis.networkId, bls, trusted, update));
      const records = reply.records.map(({ key: name, value, proof }) => ({
        key: name,
        proof: accepted(recordProofCodec.parse(proof)),
        ...(value === undefined ? {} : { value }),
      }));
      accepted(verifyRecords(trusted, records));
      const value = records.find((one) => Buffer.compare(one.key, key) === 0)?.value;
      return value === undefined ? undefined : table.codec.decode(value);
    },
  };
}

export function bitcoinRpc(url: string, cookieFile: string): Transport {
  return rpcClient({ url, auth: { cookieFile } });
}

export function ethereumRpc(url: string): Transport {
  return rpcClient({ url });
}
