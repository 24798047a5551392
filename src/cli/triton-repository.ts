/**
 * `ossicle compile --host triton`: a model repository on disk.
 *
 * Owns: where its files lie. Each entry is a model of its own with its own weights: the server looks for
 * nothing outside of a model's folder.
 */
import { join } from "node:path";
import type { Graph } from "../compiler/graph.ts";
import type { WeightSource } from "../compiler/host-tensor.ts";
import { compileOnnx, type OnnxFile, type OnnxOptions } from "../compiler/onnx/compile.ts";
import { tritonModel } from "../compiler/onnx/triton.ts";
import { inFolder, writeTogether } from "./output-files.ts";
import type { Progress } from "./progress.ts";

/** The folder of the only version. */
const version = "1";

export async function writeTritonRepository(
  graphs: readonly Graph[],
  model: string,
  weights: WeightSource,
  out: string,
  options: OnnxOptions,
  progress: Progress,
): Promise<{ path: string; bytes: number }[]> {
  const files: { path: string; file: Pick<OnnxFile, "byteLength" | "write"> }[] = [];
  const folders = [out];
  for (const graph of graphs) {
    const name = `${model}_${graph.name}`;
    const { graph: exported, config } = tritonModel(graph, name);
    const artefact = compileOnnx([exported], weights, { ...options, dataFile: "model.onnx.data" });
    const place = join(out, name, version);
    folders.push(join(out, name), place);
    const bytes = new TextEncoder().encode(config);
    const text = {
      byteLength: bytes.length,
      write: (sink: Parameters<OnnxFile["write"]>[0]) => sink.write(bytes),
    };
    files.push({ path: join(out, name, "config.pbtxt"), file: text });
    if (artefact.data !== undefined)
      files.push({ path: join(place, "model.onnx.data"), file: artefact.data });
    for (const file of artefact.models) files.push({ path: join(place, "model.onnx"), file });
  }
  const paths = files.map(({ path }) => path);
  const total = files.reduce((sum, { file }) => sum + file.byteLength, 0);
  progress.start("writing", Math.max(1, total));
  const write = (): Promise<void> =>
    writeTogether(paths, async (sinks) => {
      for (const [i, sink] of sinks.entries()) {
        await files[i]?.file.write({
          async write(bytes) {
            await sink.write(bytes);
            progress.advance(bytes.length);
          },
        });
      }
    });
  const inside = folders.reduceRight<() => Promise<void>>(
    (next, folder) => () => inFolder(folder, next),
    write,
  );
  await inside();
  progress.stop();
  return files.map(({ path, file }) => ({ path, bytes: file.byteLength }));
}
