import { MemoryStore } from "#shared/store/memory-store.ts";
import { objectStoreContract } from "./object-store.contract.ts";

objectStoreContract("MemoryStore", async () => ({ store: new MemoryStore(), close: async () => {} }));
