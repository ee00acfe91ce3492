// What a node is configured by (SEAMS, processes of an operator): keys of its environment file, as data.

export const nodeConfig = {
  genesis: { key: "CAUSEWAY_GENESIS", is: "file" },
  genesisProofs: { key: "CAUSEWAY_GENESIS_PROOFS", is: "file" },
  data: { key: "CAUSEWAY_DATA", is: "path" },
  /** JSON {consensus, peer} in hex, mode 0600; without `consensus` the node follows and does not vote. */
  keys: { key: "CAUSEWAY_KEYS", is: "file" },
  listenHost: { key: "CAUSEWAY_LISTEN_HOST", is: "host", default: "127.0.0.1" },
  p2pPort: { key: "CAUSEWAY_P2P_PORT", is: "port", default: "18500" },
  rpcPort: { key: "CAUSEWAY_RPC_PORT", is: "port", default: "18501" },
  peers: { key: "CAUSEWAY_PEERS", is: "peers", default: "" },
  oneMachine: { key: "CAUSEWAY_ONE_MACHINE", is: "flag", default: "false" },
  /** Keep what wallets and explorers ask: outputs, balances and history by owner. A plain validator needs none. */
  index: { key: "CAUSEWAY_INDEX", is: "flag", default: "true" },
  /** auto, snapshot or blocks: how a node that is far behind catches up (ADR 0010). */
  sync: { key: "CAUSEWAY_SYNC", is: "text", default: "auto" },
  /** height:hash of a final block that a second source confirmed (CON-6). */
  checkpoint: { key: "CAUSEWAY_CHECKPOINT", is: "text", optional: true },
  /** Keep every block for ever; else those from more than three epochs ago are deleted. */
  archive: { key: "CAUSEWAY_ARCHIVE", is: "flag", default: "false" },
  /** Threads that verify signatures besides the main one; absent: all cores but one, at most 4, none on one machine. */
  verifyThreads: { key: "CAUSEWAY_VERIFY_THREADS", is: "count", optional: true },
  logLevel: { key: "CAUSEWAY_LOG_LEVEL", is: "level", default: "info" },
} as const;

/** Fields of the key file: 32 bytes each. */
export const nodeKeyFields = { consensus: "optional", peer: "required" } as const;
