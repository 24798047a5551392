/**
 * Errors of the file system in words.
 *
 * Owns: one diagnostic for each thing that can go wrong with a path, for reading and for writing.
 */
import { DiagnosticError } from "../lang/diagnostic.ts";
import { describeError, failure } from "../runtime/failure.ts";

/** `ENOENT` and its like; undefined for anything that is not an error of the operating system. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function readFailure(path: string, error: unknown): DiagnosticError {
  if (error instanceof DiagnosticError) return error;
  switch (systemCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return failure("file-not-found", `There is no file ${path}.`, { hint: "Check the path." });
    case "EACCES":
    case "EPERM":
      return failure("file-unreadable", `${path} may not be read.`, { hint: "Check its permissions." });
    case "EISDIR":
      return notAFile(path, "a directory");
    case "ELOOP":
      return failure("file-unreadable", `${path} is a symbolic link that leads back to itself.`);
    case "ENAMETOOLONG":
      return failure("file-not-found", `The path ${path.slice(0, 80)}… is too long.`);
    case "EMFILE":
    case "ENFILE":
      return failure("file-unreadable", `${path} cannot be opened: too many files are open.`);
    default:
      return failure("file-unreadable", `${path} cannot be read.`, { notes: [describeError(error)] });
  }
}

export function writeFailure(path: string, error: unknown): DiagnosticError {
  if (error instanceof DiagnosticError) return error;
  switch (systemCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return failure("disk-full", `There is not enough room on the disk for ${path}.`, {
        hint: "Free some space, or write to another disk.",
      });
    case "ENOENT":
    case "ENOTDIR":
      return failure("output-unwritable", `${path} cannot be written: its directory does not exist.`, {
        hint: "Create the directory first.",
      });
    case "EACCES":
    case "EPERM":
      return failure("output-unwritable", `${path} may not be written.`, {
        hint: "Check the permissions of its directory.",
      });
    case "EROFS":
      return failure("output-unwritable", `${path} is on a file system that is read-only.`, {
        hint: "Write to another place.",
      });
    case "EISDIR":
      return failure("output-unwritable", `${path} is a directory.`, { hint: "Name a file within it." });
    case "EFBIG":
      return failure("output-unwritable", `${path} would be larger than its file system allows.`);
    case "ENAMETOOLONG":
      return failure("output-unwritable", `The path ${path.slice(0, 80)}… is too long.`);
    default:
      return failure("output-unwritable", `${path} cannot be written.`, { notes: [describeError(error)] });
  }
}

export function notAFile(path: string, what: string): DiagnosticError {
  return failure("not-a-file", `${path} is ${what}, not a file.`, { hint: "Name a regular file." });
}
