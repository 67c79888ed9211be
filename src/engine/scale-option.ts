/** An option of a component that scales what it computes. */
export interface ScaleOption {
  readonly option: string;
  readonly value: number;
}
