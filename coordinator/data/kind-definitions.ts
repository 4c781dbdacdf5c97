import { adam, type Definition, DIGITS, deadlines, numeric, pictureModel } from "./definition.ts";

/*
 * One small bundled task of each other kind: a number, two classes with one output, series, and pictures in colour.
 */

/** A measured feature of cell nuclei, with the mean and the deviation that the data set's description gives. */
const nuclei = (
  name: string,
  title: string,
  range: [number, number],
  [mean, deviation]: readonly [number, number],
  unit?: string,
) => ({
  ...numeric(name, ...range),
  title,
  ...(unit !== undefined && { unit }),
  scaling: { kind: "standard" as const, mean, deviation },
  example: mean,
});

export const KIND_DEFINITIONS: Readonly<Record<"cps1998" | "tumours" | "pen-digits" | "emoji", Definition>> =
  {
    cps1998: {
      title: "Hourly earnings",
      invitation: "Help a model learn what work pays, and keep the pay slips to yourself",
      learns: "what an hour of work pays",
      exampleNoun: { one: "person", many: "people" },
      purpose: "To show a task that learns a number, from four regions that keep their rows.",
      notFor: "Setting anyone's pay: it repeats what was paid in 1998, inequalities included.",
      dataCard:
        "Current Population Survey of March 1999, hourly earnings in 1998 of 61,395 full-time workers aged 21 to 64. US Bureau of Labor Statistics, public domain, as distributed with Stock and Watson's textbook.",
      model: {
        format: "tfjs-layers",
        // Two numbers and four regions. `gender` is left out.
        inputShape: [6],
        layers: [
          { className: "Dense", name: "hidden", units: 16, activation: "relu" },
          { className: "Dense", name: "earnings", units: 1, activation: "linear" },
        ],
      },
      features: {
        kind: "tabular",
        columns: [
          {
            name: "gender",
            type: "categorical",
            title: "Gender",
            categories: ["female", "male"],
            protected: true,
            why: "To see whether the model is further off for women. It is never an input.",
            input: false,
          },
          { ...numeric("age", 18, 70), title: "Age", unit: "years", example: 40 },
          {
            name: "region",
            type: "categorical",
            title: "Region",
            categories: ["Midwest", "Northeast", "South", "West"],
            example: "South",
          },
          { ...numeric("education", 0, 22), title: "Time in education", unit: "years", example: 13 },
        ],
        label: {
          name: "earnings",
          title: "hourly earnings",
          unit: "dollars an hour",
          range: [0, 80],
          // Few earn much, and a dollar more means less to them.
          scaling: { kind: "log1p" },
        },
      },
      training: {
        epochs: 1,
        batchSize: 32,
        optimizer: adam(0.005),
        proximalMu: 0,
        loss: { kind: "squared" },
      },
      aggregation: { clipNormL2: 5, weightCap: 20_000, deadlines: deadlines(60_000) },
    },
    tumours: {
      title: "Breast tumours",
      invitation: "Help a model read biopsies, and keep the patients to yourself",
      learns: "whether a tumour is malignant",
      exampleNoun: { one: "biopsy", many: "biopsies" },
      purpose: "To show a task with two classes and one output, whose rarer class counts more.",
      notFor:
        "Diagnosis: it has learnt from one hospital's 569 biopsies, and nobody has tested it on patients.",
      dataCard:
        "Breast Cancer Wisconsin (Diagnostic), 569 fine-needle biopsies, ten mean features. Wolberg, Mangasarian, Street and Street 1995, UCI Machine Learning Repository, CC BY 4.0.",
      model: {
        format: "tfjs-layers",
        inputShape: [10],
        classCount: 2,
        layers: [
          { className: "Dense", name: "hidden", units: 8, activation: "relu" },
          { className: "Dense", name: "malignant", units: 1, activation: "sigmoid" },
        ],
      },
      features: {
        kind: "tabular",
        columns: [
          nuclei("radius", "Mean radius", [5, 30], [14.127, 3.521], "pixels"),
          nuclei("texture", "Mean texture", [5, 45], [19.29, 4.297]),
          nuclei("perimeter", "Mean perimeter", [40, 200], [91.97, 24.28], "pixels"),
          nuclei("area", "Mean area", [100, 2_600], [654.9, 351.6], "square pixels"),
          nuclei("smoothness", "Mean smoothness", [0, 0.2], [0.0964, 0.01405]),
          nuclei("compactness", "Mean compactness", [0, 0.4], [0.1043, 0.05277]),
          nuclei("concavity", "Mean concavity", [0, 0.5], [0.0888, 0.07965]),
          nuclei("concave_points", "Mean concave points", [0, 0.25], [0.0489, 0.03877]),
          nuclei("symmetry", "Mean symmetry", [0.1, 0.35], [0.1812, 0.02739]),
          nuclei("fractal_dimension", "Mean fractal dimension", [0.04, 0.1], [0.0628, 0.00705]),
        ],
        label: { name: "diagnosis", title: "diagnosis" },
        classes: ["benign", "malignant"],
      },
      training: {
        epochs: 3,
        batchSize: 8,
        optimizer: adam(0.01),
        proximalMu: 0,
        // 357 are benign and 212 malignant.
        classWeights: [0.8, 1.34],
      },
      aggregation: { clipNormL2: 5, weightCap: 1_000, deadlines: deadlines(60_000) },
    },
    "pen-digits": {
      title: "Pen digits",
      invitation: "Help a model follow a pen, and keep your hand to yourself",
      learns: "which digit a pen writes",
      exampleNoun: { one: "stroke", many: "strokes" },
      purpose: "To show a task that learns from series.",
      notFor: "Telling writers apart, or reading anything but single digits.",
      dataCard:
        "Pen-Based Recognition of Handwritten Digits, test part: 3,498 digits as eight points along the pen's way. Alpaydin and Alimoglu 1996, UCI Machine Learning Repository, CC BY 4.0.",
      model: {
        format: "tfjs-layers",
        inputShape: [8, 2],
        classCount: 10,
        layers: [
          {
            className: "Conv1D",
            name: "turns",
            filters: 16,
            kernelSize: 3,
            strides: 1,
            padding: "valid",
            activation: "relu",
          },
          { className: "Flatten", name: "flatten" },
          { className: "Dense", name: "classes", units: 10, activation: "softmax" },
        ],
      },
      features: {
        kind: "series",
        length: 8,
        channels: [
          { name: "x", title: "Across", unit: "% of the box", range: [0, 100] },
          { name: "y", title: "Up", unit: "% of the box", range: [0, 100] },
        ],
        label: { name: "digit" },
        classes: DIGITS,
      },
      training: { epochs: 3, batchSize: 16, optimizer: adam(0.01), proximalMu: 0 },
      aggregation: { clipNormL2: 8, weightCap: 2_000, deadlines: deadlines(60_000) },
    },
    emoji: {
      title: "Emoji",
      invitation: "Help a model tell small pictures apart by their colours",
      learns: "what an emoji shows",
      exampleNoun: { one: "picture", many: "pictures" },
      purpose: "To show a task that learns from pictures in colour.",
      notFor: "Photographs: these are drawings, averaged down to 8 by 8 pixels.",
      dataCard:
        "Twemoji 16.0.1, 658 faces, animals, dishes and flags averaged down to 8 by 8 pixels in colour on white. Twitter and contributors, CC BY 4.0.",
      model: pictureModel([8, 8, 3], 32, 4),
      features: {
        kind: "image",
        height: 8,
        width: 8,
        channels: 3,
        range: [0, 15],
        classes: ["animal", "face", "flag", "food"],
      },
      training: { epochs: 3, batchSize: 8, optimizer: adam(0.005), proximalMu: 0 },
      aggregation: { clipNormL2: 8, weightCap: 1_000, deadlines: deadlines(60_000) },
    },
  };
