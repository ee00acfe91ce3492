// Loaded into a node's process before it starts: writes how late its event loop is, ms, into the file EVENT_LOOP_FILE.
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const resolution = 10;
const delays = monitorEventLoopDelay({ resolution });
delays.enable();
const late = (ns: number): number => Math.max(0, ns / 1e6 - resolution);
const file = process.env.EVENT_LOOP_FILE;
if (file !== undefined)
  setInterval(() => {
    const { max } = delays;
    const numbers = {
      p50: late(delays.percentile(50)),
      p99: late(delays.percentile(99)),
      max: late(max),
    };
    writeFileSync(`${file}.new`, JSON.stringify(numbers));
    renameSync(`${file}.new`, file);
  }, 250).unref();
