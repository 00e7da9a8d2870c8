import { Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Route, Switch, useLocation } from "wouter";
import { ErrorBoundary } from "./shell/error-boundary.tsx";
import { NotFound } from "./shell/not-found.tsx";
import { SessionGate } from "./shell/session-gate.tsx";
import { Shell } from "./shell/shell.tsx";

const LivePage = lazy(async () => ({ default: (await import("./pages/live/live-page.tsx")).LivePage }));
const PathsPage = lazy(async () => ({ default: (await import("./pages/configuration/paths-page.tsx")).PathsPage }));
const PathPage = lazy(async () => ({ default: (await import("./pages/path/path-page.tsx")).PathPage }));
const NodesPage = lazy(async () => ({ default: (await import("./pages/nodes/nodes-page.tsx")).NodesPage }));
const WebhooksPage = lazy(async () => ({ default: (await import("./pages/webhooks/webhooks-page.tsx")).WebhooksPage }));
const KeysPage = lazy(async () => ({ default: (await import("./pages/keys/keys-page.tsx")).KeysPage }));
const UsagePage = lazy(async () => ({ default: (await import("./pages/usage/usage-page.tsx")).UsagePage }));
const AuditPage = lazy(async () => ({ default: (await import("./pages/audit/audit-page.tsx")).AuditPage }));

/** Every page, at its address below /console. */
export function App() {
	const [location] = useLocation();
	return (
		<SessionGate>
			<Shell>
				<ErrorBoundary place={location}>
					<Suspense fallback={<Loader aria-label="Loading the page" />}>
						<Switch>
							<Route path="/" component={LivePage} />
							<Route path="/paths" component={PathsPage} />
							<Route path="/paths/*">{({ "*": path }) => <PathPage key={path} path={path} />}</Route>
							<Route path="/nodes" component={NodesPage} />
							<Route path="/webhooks" component={WebhooksPage} />
							<Route path="/keys" component={KeysPage} />
							<Route path="/usage" component={UsagePage} />
							<Route path="/audit" component={AuditPage} />
							<Route component={NotFound} />
						</Switch>
					</Suspense>
				</ErrorBoundary>
			</Shell>
		</SessionGate>
	);
}
