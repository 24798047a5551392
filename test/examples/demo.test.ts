import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { drawPicture } from "../../examples/demo/picture.ts";
import { colour, coverage, drawSpectrogram, type PatchGrid } from "../../examples/demo/raster.ts";

const spectrogram = {
  frames: 32,
  bins: 16,
  values: Float32Array.from({ length: 32 * 16 }, (_, cell) => (cell % 16) / 15),
};
const timeMajor: PatchGrid = { size: 8, timeStride: 8, frequencyStride: 8, major: "time" };

function cellsOf(covered: Uint8Array): string[] {
  const cells: string[] = [];
  covered.forEach((value, cell) => {
    if (value === 1 && cell % 8 === 0 && Math.floor(cell / 16) % 8 === 0) {
      cells.push(`${Math.floor(cell / 16)},${cell % 16}`);
    }
  });
  return cells;
}

describe("the demo's picture", () => {
  it("finds a patch by its number in either order", () => {
    expect(cellsOf(coverage(spectrogram, timeMajor, [0, 3]))).toEqual(["0,0", "8,8"]);
    expect(cellsOf(coverage(spectrogram, { ...timeMajor, major: "frequency" }, [1, 4]))).toEqual([
      "0,8",
      "8,0",
    ]);
  });

  it("covers each cell of a patch, and a cell that several patches share once", () => {
    const overlapping = { ...timeMajor, timeStride: 4 };
    const covered = coverage(spectrogram, overlapping, [0, 2]);
    expect(covered.reduce((sum, value) => sum + value, 0)).toBe(12 * 8);
  });

  it("draws low frequencies at the bottom, kept cells in colour and dropped ones in grey", () => {
    const image = PNG.sync.read(
      Buffer.from(drawSpectrogram(spectrogram, coverage(spectrogram, timeMajor, [0]))),
    );
    const pixel = (x: number, y: number) => [...image.data.subarray((y * 32 + x) * 4, (y * 32 + x) * 4 + 3)];
    expect([image.width, image.height]).toEqual([32, 16]);
    expect(pixel(0, 15)).toEqual([...colour(0)]);
    expect(pixel(0, 8)).toEqual([...colour(7 / 15)]);
    const [red = 0, green = 0, blue = 0] = pixel(31, 0);
    expect(Math.abs(red - green) + Math.abs(blue - green)).toBeLessThan(8);
  });

  it("says how many patches each site kept", () => {
    const svg = drawPicture({
      title: "A <model>",
      subtitle: "",
      spectrogram,
      grid: timeMajor,
      patches: 8,
      sites: [{ layer: 3, kept: [0, 1, 5] }],
      recordedFrames: 20,
      frameSeconds: 0.01,
    });
    expect(svg).toContain("A &lt;model&gt;");
    expect(svg).toContain("after layer 3");
    expect(svg).toContain("3 patches");
    expect(svg).toContain("38 %");
    expect(svg.match(/<image /g)?.length).toBe(2);
  });
});
