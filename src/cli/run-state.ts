/**
 * What a command leaves behind for `main`: its exit status.
 */
export interface Run {
  status: number;
}
