import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/charts/styles.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Router } from "wouter";
import { ApiProblem } from "./api/problem.ts";
import { App } from "./app.tsx";
import { reloadWhenStale } from "./shell/stale-console.ts";
import { cssVariables, theme } from "./shell/theme.ts";

/** Only what may go better the next time is tried again. */
function isPassing(error: Error): boolean {
	return error instanceof ApiProblem && (error.status === 0 || error.status >= 500);
}

const resources = new QueryClient({
	defaultOptions: {
		queries: { retry: (count, error) => count < 2 && isPassing(error), staleTime: 1_000 },
	},
});

reloadWhenStale(window);

const root = document.getElementById("root");
if (root === null) throw new TypeError("index.html has no place for the console");
createRoot(root).render(
	<StrictMode>
		<MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
			<QueryClientProvider client={resources}>
				<Notifications position="bottom-right" />
				<Router base="/console">
					<App />
				</Router>
			</QueryClientProvider>
		</MantineProvider>
	</StrictMode>,
);
