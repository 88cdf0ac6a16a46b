/** Where the built parts of a chaos run are. */
export declare function buildChaos(): Promise<string>;
/** Short; empty outside a repository. */
export declare function commitOf(): string;
