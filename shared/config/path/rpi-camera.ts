import * as z from "zod";
import { text } from "../scalar.ts";

const natural = z
	.int()
	.min(0)
	.max(2 ** 31 - 1);

/** The camera of a Raspberry Pi. */
export const rpiCameraShape = {
	rpiCameraCamID: natural.default(0).describe("Number of the camera"),
	rpiCameraSecondary: z.boolean().default(false).describe("This is the secondary stream of the camera"),
	rpiCameraWidth: natural.min(1).default(1920).describe("Width of frames"),
	rpiCameraHeight: natural.min(1).default(1080).describe("Height of frames"),
	rpiCameraHFlip: z.boolean().default(false).describe("Flip horizontally"),
	rpiCameraVFlip: z.boolean().default(false).describe("Flip vertically"),
	rpiCameraBrightness: z.number().min(-1).max(1).default(0).describe("Brightness"),
	rpiCameraContrast: z.number().min(0).max(16).default(1).describe("Contrast"),
	rpiCameraSaturation: z.number().min(0).max(16).default(1).describe("Saturation"),
	rpiCameraSharpness: z.number().min(0).max(16).default(1).describe("Sharpness"),
	rpiCameraExposure: z.enum(["normal", "short", "long", "custom"]).default("normal").describe("Exposure"),
	rpiCameraAWB: z
		.enum(["auto", "incandescent", "tungsten", "fluorescent", "indoor", "daylight", "cloudy", "custom"])
		.default("auto")
		.describe("White balance"),
	rpiCameraAWBGains: z.array(z.number()).length(2).default([0, 0]).describe("Fixed gains of red and blue"),
	rpiCameraDenoise: z
		.preprocess((value) => (value === false ? "off" : value), z.enum(["off", "cdn_off", "cdn_fast", "cdn_hq"]))
		.default("off")
		.describe("Noise reduction"),
	rpiCameraShutter: natural.default(0).describe("Shutter speed, microseconds"),
	rpiCameraMetering: z.enum(["centre", "spot", "matrix", "custom"]).default("centre").describe("Metering"),
	rpiCameraGain: z.number().default(0).describe("Fixed gain"),
	rpiCameraEV: z.number().min(-10).max(10).default(0).describe("Exposure compensation"),
	rpiCameraROI: text
		.refine((value) => value === "" || value.split(",").length === 4, { message: "must be x,y,width,height" })
		.default("")
		.describe("Region of interest: x,y,width,height, each 0 to 1"),
	rpiCameraHDR: z.boolean().default(false).describe("HDR of camera 3"),
	rpiCameraTuningFile: text.default("").describe("Tuning file"),
	rpiCameraMode: text.default("").describe("Sensor mode: width:height:bit-depth:packing"),
	rpiCameraFPS: z.number().min(0).max(1000).default(30).describe("Frames per second"),
	rpiCameraAfMode: z.enum(["auto", "manual", "continuous"]).default("continuous").describe("Autofocus mode"),
	rpiCameraAfRange: z.enum(["normal", "macro", "full"]).default("normal").describe("Autofocus range"),
	rpiCameraAfSpeed: z.enum(["normal", "fast"]).default("normal").describe("Autofocus speed"),
	rpiCameraLensPosition: z.number().default(0).describe("Lens position of manual focus"),
	rpiCameraAfWindow: text
		.refine((value) => value === "" || value.split(",").length === 4, { message: "must be x,y,width,height" })
		.default("")
		.describe("Autofocus window: x,y,width,height"),
	rpiCameraFlickerPeriod: natural.default(0).describe("Flicker period, microseconds"),
	rpiCameraTextOverlayEnable: z.boolean().default(false).describe("Print text on each frame"),
	rpiCameraTextOverlay: text
		.default("%Y-%m-%d %H:%M:%S - MediaMTX")
		.describe("The text, with the variables of strftime"),
	rpiCameraCodec: z.enum(["auto", "hardwareH264", "softwareH264", "mjpeg"]).default("auto").describe("Codec"),
	rpiCameraIDRPeriod: natural.default(60).describe("Frames from one key frame to the next"),
	rpiCameraBitrate: natural.default(5_000_000).describe("Bit/s"),
	rpiCameraH264Profile: z.enum(["auto", "baseline", "main", "high"]).default("auto").describe("H.264 profile"),
	rpiCameraH264Level: text
		.refine((value) => ["4.0", "4.1", "4.2", "4"].includes(value), { message: "must be 4.0, 4.1 or 4.2" })
		.default("4.1")
		.describe("H.264 level"),
	rpiCameraMJPEGQuality: z.int().min(0).max(100).default(60).describe("M-JPEG quality"),
} as const;
