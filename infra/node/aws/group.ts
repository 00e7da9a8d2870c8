import { AwsError, type AwsFetch, type Credentials, endpointOf, signedCall } from "./signed-call.ts";

export type Caller = {
	readonly region: string;
	readonly credentials: () => Promise<Credentials>;
	readonly now: () => number;
	readonly fetch: AwsFetch;
};

const VERSION = "2011-01-01";

/** An auto-scaling group: the calls that its instances, and who wakes them, may make. */
export class Group {
	readonly #name: string;
	readonly #caller: Caller;

	constructor(name: string, caller: Caller) {
		this.#name = name;
		this.#caller = caller;
	}

	/** Lets an instance that waits in `hook` go on; one that was waited for too long is given up by the group. */
	async proceed(hook: string, instanceId: string): Promise<void> {
		try {
			await this.#call("CompleteLifecycleAction", {
				AutoScalingGroupName: this.#name,
				LifecycleHookName: hook,
				InstanceId: instanceId,
				LifecycleActionResult: "CONTINUE",
			});
		} catch (error) {
			// It does not wait any more: this is an agent that was started again.
			if (error instanceof AwsError && error.message.includes("No active Lifecycle Action")) return;
			throw error;
		}
	}

	/** Lets the group replace an instance. */
	async reportUnhealthy(instanceId: string): Promise<void> {
		await this.#call("SetInstanceHealth", { InstanceId: instanceId, HealthStatus: "Unhealthy" });
	}

	/** Ends an instance that nobody needs, and makes the group smaller by it. */
	async release(instanceId: string): Promise<void> {
		await this.#call("TerminateInstanceInAutoScalingGroup", {
			InstanceId: instanceId,
			ShouldDecrementDesiredCapacity: "true",
		});
	}

	/** Asks for one instance more. Returns false while an earlier call is still being followed. */
	async grow(policy: string): Promise<boolean> {
		try {
			const parameters = { AutoScalingGroupName: this.#name, PolicyName: policy, HonorCooldown: "true" };
			await this.#call("ExecutePolicy", parameters);
			return true;
		} catch (error) {
			if (error instanceof AwsError && error.message.includes("ScalingActivityInProgress")) return false;
			throw error;
		}
	}

	async #call(action: string, parameters: Readonly<Record<string, string>>): Promise<void> {
		const { region, credentials, now, fetch } = this.#caller;
		const call = {
			service: "autoscaling",
			region,
			endpoint: endpointOf("autoscaling", region),
			headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
			body: new URLSearchParams({ Action: action, Version: VERSION, ...parameters }).toString(),
		};
		await signedCall(call, await credentials(), now(), fetch);
	}
}
