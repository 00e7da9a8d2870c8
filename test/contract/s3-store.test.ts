import { S3Store } from "#shared/store/s3-store.ts";
import { startS3Server } from "../support/s3-server.ts";
import { objectStoreContract } from "./object-store.contract.ts";

for (const prefix of ["", "some/prefix"]) {
	objectStoreContract(prefix === "" ? "S3Store" : "S3Store under a prefix", async () => {
		const server = await startS3Server({ buckets: ["contract"] });
		const { endpoint, accessKeyId, secretAccessKey } = server;
		const store = await S3Store.open({
			bucket: "contract",
			endpoint,
			accessKeyId,
			secretAccessKey,
			forcePathStyle: true,
			prefix,
		});
		return {
			store,
			async close() {
				await store[Symbol.asyncDispose]();
				await server.close();
			},
		};
	});
}
