import { NODE_PORTS } from "../node/ports.ts";
import { tags } from "./tags.ts";

/**
 * A network of the nodes' own. All of it is free: there is no NAT gateway and no private zone, since each node needs a
 * public address for UDP anyway.
 */
export const vpc = new aws.ec2.Vpc("Network", {
	cidrBlock: "10.20.0.0/16",
	enableDnsHostnames: true,
	tags: { ...tags, Name: `${$app.name}-${$app.stage}` },
});

const gateway = new aws.ec2.InternetGateway("NetworkGateway", { vpcId: vpc.id, tags });

const routes = new aws.ec2.RouteTable("NetworkRoutes", {
	vpcId: vpc.id,
	routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }],
	tags,
});

/** Segments reach the bucket on AWS's own ways, without a charge. */
export const bucketEndpoint = new aws.ec2.VpcEndpoint("NetworkBucket", {
	vpcId: vpc.id,
	serviceName: $interpolate`com.amazonaws.${aws.getRegionOutput().region}.s3`,
	vpcEndpointType: "Gateway",
	routeTableIds: [routes.id],
	tags,
});

const zones = aws.getAvailabilityZonesOutput({ state: "available" });

/** Two zones: one may be out of machines of a kind. */
export const subnets = [0, 1].map((index) => {
	const subnet = new aws.ec2.Subnet(`NetworkSubnet${index + 1}`, {
		vpcId: vpc.id,
		availabilityZone: zones.names.apply((names) => names[index] ?? names[0] ?? ""),
		cidrBlock: `10.20.${index}.0/24`,
		mapPublicIpOnLaunch: true,
		tags,
	});
	new aws.ec2.RouteTableAssociation(`NetworkRoute${index + 1}`, { subnetId: subnet.id, routeTableId: routes.id });
	return subnet;
});

/** What reaches a node: its media ports. There is no SSH: use Session Manager, or look at the log. */
export const nodeAccess = new aws.ec2.SecurityGroup("NodeAccess", {
	vpcId: vpc.id,
	description: "Media ports of Sluice nodes",
	ingress: NODE_PORTS.map(({ protocol, from, to, purpose }) => ({
		protocol,
		fromPort: from,
		toPort: to,
		cidrBlocks: ["0.0.0.0/0"],
		description: purpose,
	})),
	egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"], description: "Bucket, sources, AWS" }],
	tags,
});
