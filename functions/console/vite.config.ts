/** Builds the console into `dist`, and serves it for development with the functions behind it. */

import { defineConfig } from "vite";

/** Where `npm start` has the functions, unless FUNCTIONS says otherwise. */
const FUNCTIONS = process.env["FUNCTIONS"] ?? "http://127.0.0.1:8888";

export default defineConfig({
	root: import.meta.dirname,
	base: "/console/",
	build: {
		outDir: "dist",
		emptyOutDir: true,
		sourcemap: false,
		target: "es2022",
		// A picture in a style sheet would be a data: URL; the content security policy allows them as files alone.
		assetsInlineLimit: 0,
		chunkSizeWarningLimit: 700,
		// The components say "use client", which means something to servers that render.
		rolldownOptions: { checks: { moduleLevelDirective: false } },
	},
	server: { proxy: { "^/(?!console/)": { target: FUNCTIONS, changeOrigin: true } } },
});
